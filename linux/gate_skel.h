/* The generated skeleton, kept out of the warnings that the rest of the tree is held to. */
#ifndef CARPD_LINUX_GATE_SKEL_H
#define CARPD_LINUX_GATE_SKEL_H

#pragma GCC system_header
#include "gate.skel.h"

#endif
