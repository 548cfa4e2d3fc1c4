//! Linux's `TCP_INFO` socket option.

use std::net::TcpStream;

use nix::sys::socket::getsockopt;
use nix::sys::socket::sockopt::GetStruct;

/// The first fields of the kernel's `struct tcp_info` (tcp(7)), which grows with the kernel version. `libc::tcp_info`
/// has the length of the newest version, and [`GetStruct`] panics if an older kernel fills less.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(super) struct TcpInfo {
    state_and_options: [u8; 8],
    timeouts_and_sizes: [u32; 4],
    /// Sent segments that the peer has not acknowledged.
    pub(super) unacked: u32,
    losses_and_times: [u32; 19],
    pacing_rates: [u64; 2],
    pub(super) bytes_acked: u64,
    bytes_received: u64,
    segments: [u32; 2],
    /// Written bytes that are not sent yet.
    pub(super) notsent_bytes: u32,
    min_rtt: u32,
}

#[derive(Clone, Copy, Debug)]
struct TcpInfoOption;

nix::getsockopt_impl!(TcpInfoOption, libc::IPPROTO_TCP, libc::TCP_INFO, TcpInfo, GetStruct<TcpInfo>);

impl TcpInfo {
    pub(super) fn of(stream: &TcpStream) -> nix::Result<Self> {
        getsockopt(stream, TcpInfoOption)
    }
}

#[cfg(test)]
mod tests {
    use std::mem::offset_of;

    use super::*;

    #[test]
    fn the_layout_matches_the_kernel() {
        assert_eq!(offset_of!(TcpInfo, unacked), offset_of!(libc::tcp_info, tcpi_unacked));
        assert_eq!(offset_of!(TcpInfo, bytes_acked), offset_of!(libc::tcp_info, tcpi_bytes_acked));
        assert_eq!(offset_of!(TcpInfo, notsent_bytes), offset_of!(libc::tcp_info, tcpi_notsent_bytes));
        assert_eq!(size_of::<TcpInfo>(), offset_of!(libc::tcp_info, tcpi_min_rtt) + size_of::<u32>());
    }
}
