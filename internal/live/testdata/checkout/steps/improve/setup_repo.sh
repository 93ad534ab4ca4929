# improves: setup_repo
