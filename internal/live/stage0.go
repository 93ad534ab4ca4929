// SPDX-License-Identifier: MIT

package live

const stage0Work = "stage0-work.img"
