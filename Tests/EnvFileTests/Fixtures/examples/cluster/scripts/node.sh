#!/bin/sh
set -eu
echo node
