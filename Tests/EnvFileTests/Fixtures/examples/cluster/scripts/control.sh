#!/bin/sh
set -eu
echo control
