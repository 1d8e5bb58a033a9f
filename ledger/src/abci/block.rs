//! A block's place, time, results and events, from and to protobuf.
use tendermint_proto::google::protobuf::Timestamp;
use tendermint_proto::v0_38::abci::{self, EventAttribute, ExecTxResult};

use crate::app::TxResult;
use crate::event::Event;
use crate::tx::BlockTime;

/// Place and time, if they are of this era.
pub fn block_time(height: i64, time: Option<Timestamp>) -> Option<BlockTime> {
    let Timestamp { seconds, nanos } = time?;
    let seconds = u64::try_from(seconds).ok()?;
    let milliseconds = u64::try_from(nanos).ok()? / 1_000_000;
    let time_ms = seconds.checked_mul(1_000)?.checked_add(milliseconds)?;
    Some(BlockTime { height: u64::try_from(height).ok()?, time_ms })
}

/// What became of a transaction.
pub fn result(result: TxResult) -> ExecTxResult {
    let gas = gas(result.work);
    ExecTxResult {
        code: result.code(),
        log: result.rejection.map_or_else(String::new, |rejection| rejection.text().into()),
        info: result.rejection.map_or_else(String::new, |rejection| rejection.name().into()),
        codespace: result.rejection.map_or_else(String::new, |rejection| rejection.codespace().into()),
        data: result.data.into(),
        gas_wanted: gas,
        gas_used: gas,
        events: result.events.into_iter().map(event).collect(),
    }
}

/// Work units as gas.
pub fn gas(work: u64) -> i64 {
    i64::try_from(work).unwrap_or(i64::MAX)
}

fn event(event: Event) -> abci::Event {
    let attribute = |(key, value): (&'static str, String)| EventAttribute { key: key.into(), value, index: true };
    abci::Event { r#type: event.kind.into(), attributes: event.attributes.into_iter().map(attribute).collect() }
}
