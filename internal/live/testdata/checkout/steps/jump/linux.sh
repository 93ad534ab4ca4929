# hands over: linux
