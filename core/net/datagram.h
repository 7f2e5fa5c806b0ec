/* SPDX-License-Identifier: MIT */
/* Datagrams over POSIX: two ops of the net table. */
#ifndef WEFT_CORE_NET_DATAGRAM_H
#define WEFT_CORE_NET_DATAGRAM_H

#include "weft/plugin/net.h"

enum weft_status weft_datagram_recv(void *net, weft_socket sock, void *buf, size_t buf_len,
	struct weft_datagram *got, struct weft_error *err);
enum weft_status weft_datagram_send(
	void *net, weft_socket sock, const struct weft_datagram *msg, struct weft_error *err);

#endif
