# hands over: fiwix
