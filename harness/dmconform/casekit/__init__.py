"""The one room that cases import."""
