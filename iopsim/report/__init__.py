"""What people see: the table, and the figures, drawn from a results folder and never from a live model."""
