#!/bin/bash
set -e
TOOLS=(git make)
apt-get install -y "${TOOLS[@]}"
