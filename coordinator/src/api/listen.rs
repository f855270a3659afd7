//! The accept loops. Each connection has its own task, so that a slow handshake stops nobody.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_util::task::TaskTracker;

use super::addresses::Addresses;
use super::gate::Gate;
use super::tls::{self, TlsError};
use super::{App, member, member_routes, moment, public_routes, watch};
use crate::authority::{AuthorityError, certificate_digest};
use crate::pages::{self, Desk, NoRandom};
use crate::store::state::StateError;

/// How long open requests may take to finish when the service ends.
const FAREWELL: Duration = Duration::from_secs(5);

/// The service could not begin.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// An address is taken or not ours.
    #[error("cannot listen on {address}")]
    Bind {
        /// Which.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// Certificate or revocation lists could not be made.
    #[error("the server's certificate or the revocation lists could not be made")]
    Authority(#[from] AuthorityError),
    /// The state file failed.
    #[error("the state file could not be read or written")]
    State(#[from] StateError),
    /// TLS could not be set up.
    #[error("TLS could not be set up")]
    Tls(#[from] TlsError),
    /// No keys for the pages' forms.
    #[error(transparent)]
    Random(#[from] NoRandom),
}

/// Two bound ports.
#[derive(Debug)]
pub struct Listeners {
    nodes: TcpListener,
    public: TcpListener,
    pages: Option<TcpListener>,
}

/// Whom a listener serves.
#[derive(Clone)]
enum Whom {
    /// Members, by their certificates.
    Members,
    /// Everyone, by the coordinator's certificate.
    Everyone,
    /// Browsers, by a certificate of their intranet where one is configured.
    Browsers(Option<Arc<ServerConfig>>),
}

/// What all connections of a listener share.
#[derive(Clone)]
struct Door {
    app: Arc<App>,
    gate: Arc<Gate>,
    whom: Whom,
    router: Router,
    places: Arc<Semaphore>,
    addresses: Arc<Addresses>,
    tasks: TaskTracker,
}

impl Listeners {
    /// Binds both ports; port 0 takes any free one.
    pub async fn bind(nodes: SocketAddr, public: SocketAddr) -> Result<Self, ServeError> {
        let bind = async |address| {
            TcpListener::bind(address)
                .await
                .map_err(|source| ServeError::Bind { address, source })
        };
        Ok(Self {
            nodes: bind(nodes).await?,
            public: bind(public).await?,
            pages: None,
        })
    }

    /// Binds the port for browsers too, where there is to be one.
    pub async fn with_pages(mut self, address: Option<SocketAddr>) -> Result<Self, ServeError> {
        if let Some(address) = address {
            let bound = TcpListener::bind(address).await;
            self.pages = Some(bound.map_err(|source| ServeError::Bind { address, source })?);
        }
        Ok(self)
    }

    /// The address for browsers.
    pub fn pages_address(&self) -> Option<SocketAddr> {
        self.pages
            .as_ref()
            .and_then(|pages| pages.local_addr().ok())
    }

    /// The addresses for nodes and for everyone.
    pub fn addresses(&self) -> std::io::Result<(SocketAddr, SocketAddr)> {
        Ok((self.nodes.local_addr()?, self.public.local_addr()?))
    }

    /// Serves until the app is told to stop, then lets open requests finish.
    pub async fn serve(self, app: Arc<App>) -> Result<(), ServeError> {
        moment::look(&app).await?;
        let gate = Gate::new(&app).await?;
        let tasks = TaskTracker::new();
        let door = |whom, router| Door {
            app: Arc::clone(&app),
            gate: Arc::clone(&gate),
            whom,
            router,
            places: Arc::new(Semaphore::new(
                usize::try_from(app.config.limits.connections).unwrap_or(1),
            )),
            addresses: Addresses::new(app.config.limits.connections_per_address),
            tasks: tasks.clone(),
        };
        let members = door(Whom::Members, member_routes(&app));
        let everyone = door(Whom::Everyone, public_routes(&app));
        tasks.spawn(watch::run(Arc::clone(&app), Arc::clone(&gate)));
        let browsers = match self.pages {
            None => None,
            Some(listener) => {
                let own = app
                    .config
                    .pages
                    .as_ref()
                    .and_then(|pages| pages.certificate.as_ref().zip(pages.key.as_ref()));
                let own = own
                    .map(|files| tls::for_pages(files, &app.clock))
                    .transpose()?;
                let (config, store) = (app.config.clone(), app.store.clone());
                let desk = Desk::new(config, store, Arc::clone(&app.authority), app.clock.clone())?;
                Some((door(Whom::Browsers(own), pages::router(&desk)), listener))
            }
        };
        let browsers = async {
            if let Some((door, listener)) = browsers {
                door.accept(listener).await;
            }
        };
        tokio::join!(
            members.accept(self.nodes),
            everyone.accept(self.public),
            browsers
        );
        tasks.close();
        if tokio::time::timeout(FAREWELL, tasks.wait()).await.is_err() {
            tracing::warn!("some connections were cut at shutdown");
        }
        Ok(())
    }
}

impl Door {
    async fn accept(self, listener: TcpListener) {
        loop {
            // A place first, then a connection: beyond the limit callers wait in the backlog.
            let Ok(place) = Arc::clone(&self.places).acquire_owned().await else {
                return;
            };
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = self.app.stop.cancelled() => return,
            };
            match accepted {
                Ok((stream, address)) => {
                    let Some(own) = self.addresses.enter(address.ip()) else {
                        tracing::debug!(%address, "an address has its share of connections");
                        continue;
                    };
                    let door = self.clone();
                    self.tasks.spawn(async move {
                        door.connection(stream, address).await;
                        drop((own, place));
                    });
                }
                Err(error) => {
                    // Out of file handles or the like: wait for others to end.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    async fn connection(self, stream: TcpStream, address: SocketAddr) {
        let seconds = |n| Duration::from_secs(u64::from(n));
        let limits = self.app.config.limits;
        let config = match &self.whom {
            Whom::Members => self.gate.members(),
            Whom::Browsers(Some(own)) => Arc::clone(own),
            Whom::Everyone | Whom::Browsers(None) => self.gate.everyone(),
        };
        let handshake = TlsAcceptor::from(config).accept(stream);
        let stream = tokio::select! {
            done = tokio::time::timeout(seconds(limits.handshake_seconds), handshake) => done,
            () = self.app.stop.cancelled() => return,
        };
        let stream = match stream {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => {
                tracing::info!(%address, %error, "a handshake was refused");
                return;
            }
            Err(_) => {
                tracing::info!(%address, "a handshake took too long");
                return;
            }
        };
        let certificate = stream.get_ref().1.peer_certificates();
        let peer = member::Peer {
            address: address.ip(),
            certificate: certificate
                .and_then(|chain| chain.first())
                .map(|leaf| leaf.clone().into_owned()),
        };
        let place = peer
            .certificate
            .as_ref()
            .map(|certificate| self.gate.enter(certificate_digest(certificate)));
        let cut = async {
            match &place {
                Some(place) => place.cut.cancelled().await,
                None => std::future::pending().await,
            }
        };
        let service = TowerToHyperService::new(
            self.router
                .clone()
                .layer(Extension(pages::From(peer.address)))
                .layer(Extension(peer)),
        );
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(seconds(limits.head_seconds))
            .max_buf_size(64 * 1024)
            .serve_connection(TokioIo::new(stream), service);
        let mut connection = std::pin::pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = self.app.stop.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
            // Shut out: what it is being sent or waits for is not sent.
            () = cut => return,
        };
        if let Err(error) = ended {
            tracing::debug!(%address, %error, "a connection broke");
        }
    }
}
