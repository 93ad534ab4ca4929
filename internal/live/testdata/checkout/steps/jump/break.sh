# hands over: break
