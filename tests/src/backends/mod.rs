//! Receivers that others wrote, as judges who owe this project nothing.

mod find;
mod printed;
mod pushgateway;
mod rotel;
mod victoria;

pub use find::backend;
pub use pushgateway::Pushgateway;
pub use rotel::Rotel;
pub use victoria::VictoriaMetrics;
