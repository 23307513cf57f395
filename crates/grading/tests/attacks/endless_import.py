"""Never even begins."""
while True:
    pass
