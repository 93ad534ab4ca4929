#!/bin/sh
#
# SPDX-License-Identifier: MIT
#
# Copies the files of a payload disk to the distfiles.

set -ex

if match x${PAYLOAD_REQUIRED} xTrue; then
    payload-import ${DISTFILES}
fi
