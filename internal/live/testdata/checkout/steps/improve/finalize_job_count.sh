# improves: finalize_job_count
