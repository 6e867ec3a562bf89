"""What an episode and a held place cost."""
