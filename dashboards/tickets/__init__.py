"""The parts of the page about tickets: table, board, moving a card, opening one by hand."""
