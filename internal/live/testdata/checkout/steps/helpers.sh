# what builds in bash share
