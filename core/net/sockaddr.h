/* SPDX-License-Identifier: MIT */
/* Between weft_address and the system's sockaddr. */
#ifndef WEFT_CORE_NET_SOCKADDR_H
#define WEFT_CORE_NET_SOCKADDR_H

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "weft/address.h"

union weft_sockaddr {
	struct sockaddr any;
	struct sockaddr_in in4;
	struct sockaddr_in6 in6;
	struct sockaddr_un un;
	struct sockaddr_storage storage;
};

/* Returns the length that the system wants; 0 for an address of no family. */
socklen_t weft_sockaddr_from(const struct weft_address *a, union weft_sockaddr *out);
void weft_sockaddr_to(const union weft_sockaddr *sa, socklen_t len, struct weft_address *out);

#endif
