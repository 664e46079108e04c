"""The store on PostgreSQL, behind the same port; the only place that imports psycopg."""
