/* of mescc-tools */
