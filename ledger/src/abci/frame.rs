//! Frames of the socket: a length as an unsigned varint, then as many bytes of protobuf.
use std::io;

use prost::Message;
use tendermint_proto::v0_38::abci::{Request, Response};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt};

/// Longest frame in bytes: a block of the largest size that CometBFT has (100 MiB), and what goes with it.
pub const FRAME_LEN_MAX: usize = 101 << 20;
/// Longest encoding of a length.
const LENGTH_BYTES_MAX: u32 = 5;

/// Why a connection is given up.
#[derive(Debug, Error)]
pub enum FrameError {
    /// The connection broke, in the middle of a frame perhaps.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The length is not a varint in its shortest form.
    #[error("malformed length of a frame")]
    Length,
    /// The frame is too long.
    #[error("a frame of {0} bytes is longer than {FRAME_LEN_MAX}")]
    TooLong(usize),
}

/// The bytes of one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame(pub Vec<u8>);

impl Frame {
    /// Reads a frame; none where the connection was closed between two frames. Memory grows with what arrives, not with what a length says.
    ///
    /// # Errors
    /// The connection broke, or what arrives is no frame.
    pub async fn read<R: AsyncRead + Unpin>(reader: &mut R) -> Result<Option<Self>, FrameError> {
        let Some(length) = read_length(reader).await? else { return Ok(None) };
        if length > FRAME_LEN_MAX {
            return Err(FrameError::TooLong(length));
        }
        let mut bytes = Vec::new();
        reader.take(length as u64).read_to_end(&mut bytes).await?;
        if bytes.len() < length {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        Ok(Some(Self(bytes)))
    }

    /// The request in the frame.
    ///
    /// # Errors
    /// Not protobuf of a request.
    pub fn request(&self) -> Result<Request, prost::DecodeError> {
        Request::decode(self.0.as_slice())
    }

    /// An answer, framed.
    pub fn of_answer(response: &Response) -> Vec<u8> {
        response.encode_length_delimited_to_vec()
    }
}

async fn read_length<R: AsyncRead + Unpin>(reader: &mut R) -> Result<Option<usize>, FrameError> {
    let mut length = 0u64;
    for position in 0..LENGTH_BYTES_MAX {
        let byte = match reader.read_u8().await {
            Ok(byte) => byte,
            Err(error) if position == 0 && error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        length |= u64::from(byte & 0x7f) << (7 * position);
        if byte & 0x80 == 0 {
            let shortest = byte != 0 || position == 0;
            return if shortest { Ok(Some(length as usize)) } else { Err(FrameError::Length) };
        }
    }
    Err(FrameError::Length)
}
