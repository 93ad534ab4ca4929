# hands over: move_disk
