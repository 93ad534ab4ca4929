# It knows --extra-builds.
