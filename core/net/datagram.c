/* SPDX-License-Identifier: MIT */
/* One datagram at a time, with its peer; the local address is what the socket is bound to. */
#include "core/net/datagram.h"

#include <errno.h>

#include "core/net/sockaddr.h"

enum weft_status weft_datagram_recv(void *net, weft_socket sock, void *buf, size_t buf_len,
	struct weft_datagram *got, struct weft_error *err)
{
	union weft_sockaddr sa;
	socklen_t len = sizeof(sa);
	ssize_t n;

	(void)net;
	do
		n = recvfrom((int)sock, buf, buf_len, 0, &sa.any, &len);
	while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return WEFT_AGAIN;
	if (n < 0)
		return weft_error_errno(err, errno, "recvmsg");
	weft_sockaddr_to(&sa, len, &got->peer);
	got->bytes = (struct weft_span){ buf, (size_t)n };
	len = sizeof(sa);
	if (getsockname((int)sock, &sa.any, &len) == 0)
		weft_sockaddr_to(&sa, len, &got->local);
	return WEFT_OK;
}

enum weft_status weft_datagram_send(
	void *net, weft_socket sock, const struct weft_datagram *msg, struct weft_error *err)
{
	union weft_sockaddr sa;
	socklen_t len = weft_sockaddr_from(&msg->peer, &sa);
	ssize_t n;

	(void)net;
	do
		n = sendto((int)sock, msg->bytes.ptr, msg->bytes.len, MSG_NOSIGNAL,
			len ? &sa.any : NULL, len);
	while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return WEFT_AGAIN;
	return n < 0 ? weft_error_errno(err, errno, "sendmsg") : WEFT_OK;
}
