# hands over: linux64
