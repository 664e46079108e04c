"""Is a store what its events say: each decision made again, each derived row derived again."""
