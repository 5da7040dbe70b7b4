//! Sends one answer, as far as its fault lets it, and keeps the ledger.

use std::io;

use super::{
    Answer, Fault, Gate, Pace,
    answer::WirePiece,
    ledger::{Ledger, Place, Sending},
};
use crate::wire::{Break, Connection};

/// Why an answer's sending stopped.
enum Stop {
    /// The script wants the connection to break here.
    Fault(Break),
    /// The client has gone.
    ClientLeft,
}

impl From<io::Error> for Stop {
    fn from(_: io::Error) -> Self {
        Self::ClientLeft
    }
}

/// Sends `answer`; hands the connection back if it can serve another request.
pub(super) async fn send(
    answer: &Answer,
    head_only: bool,
    mut connection: Connection,
    ledger: &Ledger,
    place: Place,
) -> Option<Connection> {
    let stop = send_pieces(answer, head_only, &mut connection, ledger, place).await;
    ledger.note(place, |served| {
        served.sending = match stop {
            Ok(()) => Sending::Whole,
            Err(Stop::Fault(_)) => Sending::BrokenOff,
            Err(Stop::ClientLeft) => Sending::ClientLeft,
        };
    });
    match stop {
        Ok(()) => Some(connection),
        Err(Stop::Fault(how)) => connection.end(how).await.ok().and(None),
        Err(Stop::ClientLeft) => None,
    }
}

async fn send_pieces(
    answer: &Answer,
    head_only: bool,
    connection: &mut Connection,
    ledger: &Ledger,
    place: Place,
) -> Result<(), Stop> {
    if let Some(gate) = &answer.head_waits {
        pass(gate, connection).await?;
    }
    let mut left = match answer.fault {
        Fault::None => usize::MAX,
        Fault::Cut { after, .. } => after,
    };
    for (number, piece) in answer.wire().into_iter().take(if head_only { 1 } else { usize::MAX }).enumerate()
    {
        if let (Pace::Gated(gate), true) = (&answer.pace, number > 0) {
            pass(gate, connection).await?;
        }
        let sent = piece.bytes.len().min(left);
        // Noted before it is sent, so that whoever has seen the bytes finds them in the ledger.
        ledger.note(place, |served| {
            served.sent += sent;
            if number == 0 && sent == piece.bytes.len() {
                served.status = Some(answer.status);
            }
            if sent >= piece.telling {
                served.told.extend(piece.tells.iter().cloned());
            }
        });
        write(&piece, sent, &answer.pace, connection).await?;
        left -= sent;
        if let (Fault::Cut { how, .. }, true) = (answer.fault, left == 0) {
            return Err(Stop::Fault(how));
        }
    }
    Ok(())
}

async fn write(piece: &WirePiece, sent: usize, pace: &Pace, connection: &mut Connection) -> io::Result<()> {
    let at_once = match pace {
        Pace::Burst | Pace::Gated(_) => sent.max(1),
        Pace::Split(bytes) => *bytes,
    };
    for part in piece.bytes[..sent].chunks(at_once) {
        connection.write(part).await?;
    }
    Ok(())
}

/// Waits at the gate, unless the client leaves meanwhile.
async fn pass(gate: &Gate, connection: &mut Connection) -> Result<(), Stop> {
    tokio::select! {
        biased;
        () = gate.pass() => Ok(()),
        () = connection.closed() => Err(Stop::ClientLeft),
    }
}
