"""What people and programs are shown, as text and documents; imports the domain only.

The one room that its siblings may import (ADR 57).
"""
