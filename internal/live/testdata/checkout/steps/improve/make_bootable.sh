# improves: make_bootable
