# improves: update_checksums
