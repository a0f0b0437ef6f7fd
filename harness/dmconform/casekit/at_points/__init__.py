"""The probe at each extension point: what makes it work there, and what shows from outside that it does."""
