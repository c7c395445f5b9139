"""What other systems tell in their own words: monitors whose alerts become ours."""
