"""Networks: log-mel patches in, logits, attention and evidence out."""
