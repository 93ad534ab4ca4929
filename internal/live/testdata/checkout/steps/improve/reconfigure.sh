# improves: reconfigure
