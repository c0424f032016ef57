"""What an answer costs: prices, estimates, currencies, budgets. Exact decimals throughout."""
