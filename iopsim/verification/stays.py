"""How stays end: completion against dropout, weekly hazards, and coming back."""
