//! A cluster of ClickHouse of this test alone: so many servers on loopback addresses of its own, each in a
//! folder of its own, ended by their process ids.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::views::server::{NOBODY, SECRET, command, is_root, promised};

const PATIENCE: Duration = Duration::from_secs(60);
const PROGRAMS: [&str; 2] = ["/usr/sbin/clickhouse-server", "/usr/bin/clickhouse-server"];

pub(super) struct Cluster {
    folder: tempfile::TempDir,
    children: Vec<Child>,
    hosts: Vec<String>,
}

/// An address that no other test uses.
fn address() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let own = std::process::id();
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("127.{}.{}.{}", 20 + own % 200, 1 + own / 200 % 250, next)
}

fn users() -> String {
    format!(
        "<yandex><profiles><default><max_memory_usage>4000000000</max_memory_usage></default></profiles>\
         <users><consilium><password>{SECRET}</password><networks><ip>127.0.0.0/8</ip></networks>\
         <profile>default</profile><quota>default</quota></consilium></users>\
         <quotas><default></default></quotas></yandex>"
    )
}

fn settings(folder: &Path, host: &str, shards: &str) -> String {
    let at = folder.display();
    format!(
        "<yandex><logger><level>warning</level><log>{at}/log</log><errorlog>{at}/err</errorlog></logger>\
         <listen_host>{host}</listen_host><http_port>18123</http_port><tcp_port>19000</tcp_port>\
         <path>{at}/data/</path><tmp_path>{at}/tmp/</tmp_path><users_config>users.xml</users_config>\
         <default_profile>default</default_profile><default_database>default</default_database>\
         <mark_cache_size>67108864</mark_cache_size>\
         <remote_servers><pair>{shards}</pair></remote_servers></yandex>"
    )
}

impl Cluster {
    /// Starts so many servers; `None` where ClickHouse is not installed.
    pub(super) async fn start(servers: usize) -> Option<Self> {
        let program = PROGRAMS.iter().map(Path::new).find(|path| path.is_file());
        let Some(program) = program else {
            assert!(!promised(), "ClickHouse was promised and is not installed");
            eprintln!("SKIPPED: ClickHouse is not installed; `sh deploy/test.sh` installs it");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let hosts: Vec<String> = (0..servers).map(|_| address()).collect();
        let shard = |host: &String| {
            format!(
                "<shard><replica><host>{host}</host><port>19000</port><user>consilium</user>\
                 <password>{SECRET}</password></replica></shard>"
            )
        };
        let shards: String = hosts.iter().map(shard).collect();
        let mut children = Vec::new();
        for host in &hosts {
            let own = folder.path().join(host);
            std::fs::create_dir_all(own.join("data")).unwrap();
            std::fs::create_dir_all(own.join("tmp")).unwrap();
            std::fs::write(own.join("users.xml"), users()).unwrap();
            let config = own.join("config.xml");
            std::fs::write(&config, settings(&own, host, &shards)).unwrap();
            if is_root() {
                let owner = format!("{NOBODY}:{NOBODY}");
                let mut owned = Command::new("chown");
                assert!(
                    owned
                        .args(["-R", &owner])
                        .arg(folder.path())
                        .status()
                        .unwrap()
                        .success()
                );
            }
            let out = std::fs::File::create(folder.path().join(format!("{host}.out"))).unwrap();
            let mut server = command(program);
            server.arg(format!("--config-file={}", config.display()));
            server.current_dir(&own).stdin(Stdio::null());
            let server = server.stdout(out.try_clone().unwrap()).stderr(out);
            children.push(server.spawn().unwrap());
        }
        let cluster = Self {
            folder,
            children,
            hosts,
        };
        for host in &cluster.hosts {
            cluster.wait(host).await;
        }
        Some(cluster)
    }

    async fn wait(&self, host: &str) {
        let end = Instant::now() + PATIENCE;
        while tokio::net::TcpStream::connect((host, 18123)).await.is_err() {
            let out = std::fs::read_to_string(self.folder.path().join(format!("{host}.out")));
            assert!(Instant::now() < end, "{out:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// One URL a server and line.
    pub(super) fn urls(&self, secret: &str) -> String {
        let url = |host: &String| format!("http://consilium:{secret}@{host}:18123/default\n");
        self.hosts.iter().map(url).collect()
    }

    /// What a query gives, as text, of one server.
    pub(super) async fn ask(&self, server: usize, sql: &str) -> String {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let host = &self.hosts[server];
        let mut to = tokio::net::TcpStream::connect((host.as_str(), 18123))
            .await
            .unwrap();
        let head = format!(
            "POST / HTTP/1.0\r\nX-ClickHouse-User: consilium\r\nX-ClickHouse-Key: {SECRET}\r\n\
             Content-Length: {}\r\n\r\n{sql}",
            sql.len()
        );
        to.write_all(head.as_bytes()).await.unwrap();
        let mut said = String::new();
        to.read_to_string(&mut said).await.unwrap();
        let (head, body) = said.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(" 200 "), "{said}");
        body.to_owned()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for child in &mut self.children {
            let number = child.id().to_string();
            Command::new("kill").args(["-TERM", &number]).status().ok();
        }
        let end = Instant::now() + PATIENCE;
        for child in &mut self.children {
            while matches!(child.try_wait(), Ok(None)) && Instant::now() < end {
                std::thread::sleep(Duration::from_millis(20));
            }
            child.kill().ok();
            child.wait().ok();
        }
    }
}
