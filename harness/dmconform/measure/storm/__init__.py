"""Storms: clients that leave at random moments while threads of a module commit events and updates swap modules."""
