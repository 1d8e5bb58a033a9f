// SPDX-License-Identifier: Apache-2.0 OR MIT
pragma solidity ^0.8.20;

/// Calls the deployed verifier of one key. The verifier takes words without a function selector, and returns 1 or reverts.
library AssayVerifier {
    /// The key whose proofs are verified.
    bytes32 internal constant KEY_DIGEST = 0x{{KEY}};
    /// The code of the verifier, keccak256: whoever can name another address could otherwise name another contract.
    bytes32 internal constant CODE_HASH = 0x{{CODE_HASH}};
    /// How many points commit to private inputs.
    uint256 internal constant INPUT_COMMITMENTS = {{INPUTS}};
    /// How many public values a statement has.
    uint256 internal constant PUBLIC_VALUES = {{VALUES}};
    /// How many bytes a proof has in a call.
    uint256 internal constant PROOF_BYTES = {{PROOF_BYTES}};

    /// Whether the proof is valid for these public values under this context, with private inputs as they are committed to:
    /// two words for each point. Public values are integers modulo the scalar field's order, in the order of README.txt.
    function verify(
        address verifier,
        bytes32 contextDigest,
        uint256[] memory inputCommitments,
        uint256[] memory publicValues,
        bytes memory proof
    ) internal view returns (bool) {
        if (verifier.codehash != CODE_HASH) return false;
        if (inputCommitments.length != 2 * INPUT_COMMITMENTS) return false;
        if (publicValues.length != PUBLIC_VALUES || proof.length != PROOF_BYTES) return false;
        (bool returned, bytes memory word) =
            verifier.staticcall(abi.encodePacked(contextDigest, inputCommitments, publicValues, proof));
        return returned && word.length == 32 && abi.decode(word, (uint256)) == 1;
    }
}

/// An example: remembers which answers were proven, each for a context that this contract gives out once.
contract ProvenAnswers {
    address public immutable verifier;
    mapping(bytes32 => bytes32) public answerOf;

    error AlreadyAnswered();
    error InvalidProof();

    constructor(address deployedVerifier) {
        verifier = deployedVerifier;
    }

    /// Takes an answer with its proof.
    function answer(
        bytes32 contextDigest,
        uint256[] calldata inputCommitments,
        uint256[] calldata publicValues,
        bytes calldata proof
    ) external {
        if (answerOf[contextDigest] != bytes32(0)) revert AlreadyAnswered();
        if (!AssayVerifier.verify(verifier, contextDigest, inputCommitments, publicValues, proof)) {
            revert InvalidProof();
        }
        answerOf[contextDigest] = keccak256(abi.encodePacked(inputCommitments, publicValues));
    }
}
