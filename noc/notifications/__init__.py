"""What leaves the house: mail to the people who have to know."""
