# It knows --build-guix-also.
