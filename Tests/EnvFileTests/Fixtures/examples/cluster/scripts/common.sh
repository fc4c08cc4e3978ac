#!/bin/sh
set -eu
echo common
