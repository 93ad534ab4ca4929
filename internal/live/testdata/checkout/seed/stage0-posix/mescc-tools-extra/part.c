/* of mescc-tools-extra */
