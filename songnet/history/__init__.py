"""What was classified, and which genre a person says it has."""
