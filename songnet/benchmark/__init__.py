"""Every model on one protocol: entries, pieces that resume, results."""
