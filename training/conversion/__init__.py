"""What BRS' training-free conversion is worth: the paper's three applications."""
