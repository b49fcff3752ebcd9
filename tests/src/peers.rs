//! Which process is at the other end of a connection on this machine: the system's own tables say.

use std::fs;
use std::net::SocketAddr;

/// The process group that holds the socket from `local` to `remote`, both as its holder sees them.
pub fn group_of(local: SocketAddr, remote: SocketAddr) -> Option<u32> {
    let inode = inode(local, remote)?;
    let link = format!("socket:[{inode}]");
    let holds = |process: &u32| {
        let Ok(files) = fs::read_dir(format!("/proc/{process}/fd")) else { return false };
        files.flatten().any(|file| fs::read_link(file.path()).is_ok_and(|target| target.as_os_str() == link.as_str()))
    };
    group(processes().find(holds)?)
}

/// The inode of a socket, from the system's table of connections.
fn inode(local: SocketAddr, remote: SocketAddr) -> Option<u64> {
    let (local, remote) = (hexadecimal(local)?, hexadecimal(remote)?);
    let table = fs::read_to_string("/proc/net/tcp").ok()?;
    table.lines().skip(1).find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        (fields.get(1)? == &local && fields.get(2)? == &remote).then(|| fields.get(9)?.parse().ok()).flatten()
    })
}

/// An address as the table has it: the bytes of the address from last to first, then the port.
fn hexadecimal(address: SocketAddr) -> Option<String> {
    let SocketAddr::V4(address) = address else { return None };
    let [a, b, c, d] = address.ip().octets();
    Some(format!("{d:02X}{c:02X}{b:02X}{a:02X}:{:04X}", address.port()))
}

/// Whether every thread of every process in a group stands still.
pub fn is_stopped(group_id: u32) -> bool {
    let is_still = |process: u32| {
        let Ok(threads) = fs::read_dir(format!("/proc/{process}/task")) else { return true };
        let state = |path: std::path::PathBuf| Some(behind_the_name(&path.join("stat"))?.chars().next()? == 'T');
        threads.flatten().all(|thread| state(thread.path()).unwrap_or(true))
    };
    processes().filter(|process| group(*process) == Some(group_id)).all(is_still)
}

/// The ids of all processes.
fn processes() -> impl Iterator<Item = u32> {
    fs::read_dir("/proc").into_iter().flatten().flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// The group of a process: the third field behind its name.
fn group(process: u32) -> Option<u32> {
    behind_the_name(format!("/proc/{process}/stat").as_ref())?.split_whitespace().nth(2)?.parse().ok()
}

/// The fields of a `stat` behind the name, which stands in brackets and may hold anything.
fn behind_the_name(path: &std::path::Path) -> Option<String> {
    let stat = fs::read_to_string(path).ok()?;
    stat.rsplit_once(')').map(|(_, fields)| fields.trim_start().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_our_own_group_behind_a_connection() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let there = listener.local_addr().expect("it is bound");
        let client = std::net::TcpStream::connect(there).expect("it listens");
        let here = client.local_addr().expect("it is connected");
        assert_eq!(group_of(here, there), group(std::process::id()));
        assert!(group_of(here, there).is_some());
    }
}
