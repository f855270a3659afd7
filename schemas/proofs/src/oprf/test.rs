use super::*;

/// Random bytes in a given order, so that the RFC's blinds and proofs come out.
struct Script(Vec<u8>);

impl RngCore for Script {
    fn next_u32(&mut self) -> u32 {
        rand_core::impls::next_u32_via_fill(self)
    }

    fn next_u64(&mut self) -> u64 {
        rand_core::impls::next_u64_via_fill(self)
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        bytes.copy_from_slice(&self.0.drain(..bytes.len()).collect::<Vec<u8>>());
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rand_core::Error> {
        self.fill_bytes(bytes);
        Ok(())
    }
}

impl CryptoRng for Script {}

/// A scalar is drawn as 64 bytes and reduced, so a reduced one with 32 zeros comes out as it is.
fn script(scalars: &[&str]) -> Script {
    let wide = |hex: &&str| [bytes(hex), vec![0; 32]].concat();
    Script(scalars.iter().flat_map(wide).collect())
}

fn bytes(hex: &str) -> Vec<u8> {
    let digit = |d: u8| u8::try_from(char::from(d).to_digit(16).unwrap()).unwrap();
    let pairs = hex.as_bytes().chunks(2);
    pairs.map(|p| digit(p[0]) << 4 | digit(p[1])).collect()
}

fn array<const N: usize>(hex: &str) -> [u8; N] {
    bytes(hex).try_into().unwrap()
}

/// RFC 9497, appendix A.1.2: ristretto255-SHA512, VOPRF mode.
struct Vector {
    inputs: &'static [&'static str],
    blinds: &'static [&'static str],
    blinded: &'static [&'static str],
    evaluated: &'static [&'static str],
    proof: &'static str,
    proof_scalar: &'static str,
    outputs: &'static [&'static str],
}

const PUBLIC: &str = "c803e2cc6b05fc15064549b5920659ca4a77b2cca6f04f6b357009335476ad4e";
const INPUTS: [&str; 2] = ["00", "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a"];
const BLINDS: [&str; 2] = [
    "64d37aed22a27f5191de1c1d69fadb899d8862b58eb4220029e036ec4c1f6706",
    "222a5e897cf59db8145db8d16e597e8facb80ae7d4e26d9881aa6f61d645fc0e",
];
const OUTPUTS: [&str; 2] = [
    "b58cfbe118e0cb94d79b5fd6a6dafb98764dff49c14e1770b566e42402da1a7d\
     a4d8527693914139caee5bd03903af43a491351d23b430948dd50cde10d32b3c",
    "8a9a2f3c7f085b65933594309041fc1898d42d0858e59f90814ae90571a6df60\
     356f4610bf816f27afdd84f47719e480906d27ecd994985890e5f539e7ea74b6",
];

fn vectors() -> [Vector; 3] {
    [
        Vector {
            inputs: &INPUTS[..1],
            blinds: &BLINDS[..1],
            blinded: &["863f330cc1a1259ed5a5998a23acfd37fb4351a793a5b3c090b642ddc439b945"],
            evaluated: &["aa8fa048764d5623868679402ff6108d2521884fa138cd7f9c7669a9a014267e"],
            proof: "ddef93772692e535d1a53903db24367355cc2cc78de93b3be5a8ffcc6985dd06\
                    6d4346421d17bf5117a2a1ff0fcb2a759f58a539dfbe857a40bce4cf49ec600d",
            proof_scalar: BLINDS[1],
            outputs: &OUTPUTS[..1],
        },
        Vector {
            inputs: &INPUTS[1..],
            blinds: &BLINDS[..1],
            blinded: &["cc0b2a350101881d8a4cba4c80241d74fb7dcbfde4a61fde2f91443c2bf9ef0c"],
            evaluated: &["60a59a57208d48aca71e9e850d22674b611f752bed48b36f7a91b372bd7ad468"],
            proof: "401a0da6264f8cf45bb2f5264bc31e109155600babb3cd4e5af7d181a2c9dc0a\
                    67154fabf031fd936051dec80b0b6ae29c9503493dde7393b722eafdf5a50b02",
            proof_scalar: BLINDS[1],
            outputs: &OUTPUTS[1..],
        },
        Vector {
            inputs: &INPUTS,
            blinds: &BLINDS,
            blinded: &[
                "863f330cc1a1259ed5a5998a23acfd37fb4351a793a5b3c090b642ddc439b945",
                "90a0145ea9da29254c3a56be4fe185465ebb3bf2a1801f7124bbbadac751e654",
            ],
            evaluated: &[
                "aa8fa048764d5623868679402ff6108d2521884fa138cd7f9c7669a9a014267e",
                "cc5ac221950a49ceaa73c8db41b82c20372a4c8d63e5dded2db920b7eee36a2a",
            ],
            proof: "cc203910175d786927eeb44ea847328047892ddf8590e723c37205cb74600b0a\
                    5ab5337c8eb4ceae0494c2cf89529dcf94572ed267473d567aeed6ab873dee08",
            proof_scalar: "419c4f4f5052c53c45f3da494d2b67b220d02118e0857cdbcf037f9ea84bbe0c",
            outputs: &OUTPUTS,
        },
    ]
}

fn elements(hex: &[&str]) -> Vec<Element> {
    hex.iter().map(|one| array(one)).collect()
}

#[test]
fn the_rfcs_vectors_come_out() {
    let key = ServerKey::from_info(&[0xa3; 32], b"test key").unwrap();
    assert_eq!(key.public().0, array(PUBLIC));
    for vector in vectors() {
        let inputs: Vec<Vec<u8>> = vector.inputs.iter().map(|input| bytes(input)).collect();
        let blinded = Blinded::blind_with(&inputs, &mut script(vector.blinds)).unwrap();
        assert_eq!(blinded.elements(), elements(vector.blinded));
        let mut random = script(&[vector.proof_scalar]);
        let answer = key.evaluate_with(blinded.elements(), &mut random).unwrap();
        assert_eq!(answer.elements, elements(vector.evaluated));
        assert_eq!(answer.proof, array(vector.proof));
        let outputs = blinded.finalize(&inputs, &answer, &key.public()).unwrap();
        for ((input, output), expected) in inputs.iter().zip(&outputs).zip(vector.outputs) {
            assert_eq!(output.as_bytes(), &array(expected));
            assert_eq!(&key.evaluate(input).unwrap(), output);
        }
    }
}

fn key(payer: &str, month: &str) -> ServerKey {
    ServerKey::derive(&[7; 32], &payer.parse().unwrap(), month.parse().unwrap()).unwrap()
}

#[test]
fn each_payer_and_month_has_its_own_key() {
    let one = key("I01", "2025-03");
    assert_eq!(one.public(), key("I01", "2025-03").public());
    for other in [key("I02", "2025-03"), key("I01", "2025-04")] {
        assert_ne!(one.public(), other.public());
        assert_ne!(
            one.evaluate(b"claim").unwrap(),
            other.evaluate(b"claim").unwrap()
        );
    }
    let seed = ServerKey::derive(
        &[8; 32],
        &"I01".parse().unwrap(),
        "2025-03".parse().unwrap(),
    );
    assert_ne!(one.public(), seed.unwrap().public());
}

#[test]
fn another_key_or_a_changed_answer_is_found() {
    let (announced, other) = (key("I01", "2025-03"), key("I02", "2025-03"));
    let inputs = [b"claim 1", b"claim 2", b"claim 3"];
    let blinded = Blinded::blind(&inputs).unwrap();
    let refused = |answer: &Evaluated| blinded.finalize(&inputs, answer, &announced.public());
    let honest = announced.evaluate_batch(blinded.elements()).unwrap();
    assert!(refused(&honest).is_ok());
    let elsewhere = other.evaluate_batch(blinded.elements()).unwrap();
    assert_eq!(refused(&elsewhere), Err(OprfError::Proof));
    // One element under another key, two exchanged, a proof of another batch.
    let mut mixed = honest.clone();
    mixed.elements[1] = elsewhere.elements[1];
    assert_eq!(refused(&mixed), Err(OprfError::Proof));
    let mut turned = honest.clone();
    turned.elements.swap(0, 2);
    assert_eq!(refused(&turned), Err(OprfError::Proof));
    let mut borrowed = honest.clone();
    let again = Blinded::blind(&inputs).unwrap();
    borrowed.proof = announced.evaluate_batch(again.elements()).unwrap().proof;
    assert_eq!(refused(&borrowed), Err(OprfError::Proof));
    for position in 0..64 {
        let mut flipped = honest.clone();
        flipped.proof[position] ^= 1;
        assert!(refused(&flipped).is_err());
    }
}

#[test]
fn blinding_hides_equal_inputs_and_survives_storage() {
    let key = key("I01", "2025-03");
    let inputs = ["same", "same"];
    let blinded = Blinded::blind(&inputs).unwrap();
    assert_ne!(blinded.elements()[0], blinded.elements()[1]);
    let stored = blinded.to_bytes();
    let read = Blinded::from_bytes(&stored).unwrap();
    assert_eq!(read.elements(), blinded.elements());
    let answer = key.evaluate_batch(read.elements()).unwrap();
    let outputs = read.finalize(&inputs, &answer, &key.public()).unwrap();
    assert_eq!(outputs[0], outputs[1]);
    assert_eq!(outputs[0], key.evaluate(b"same").unwrap());
    for cut in [0, 1, 63, 127] {
        assert!(Blinded::from_bytes(&stored[..cut]).is_err());
    }
    assert!(Blinded::from_bytes(&[0; 64]).is_err());
}

#[test]
fn identity_and_junk_are_refused_by_both_sides() {
    let key = key("I01", "2025-03");
    let blinded = Blinded::blind(&["a", "b"]).unwrap();
    let answer = key.evaluate_batch(blinded.elements()).unwrap();
    // Identity; odd ("negative"); not below the field's order; no point.
    let mut negative = [0; 32];
    negative[0] = 1;
    let mut odd = blinded.elements()[1];
    odd[0] |= 1;
    for junk in [[0; 32], negative, odd, [0xff; 32]] {
        let question = [blinded.elements()[0], junk];
        let refused = key.evaluate_batch(&question);
        assert_eq!(refused, Err(OprfError::Element(1)));
        let mut wrong = answer.clone();
        wrong.elements[0] = junk;
        let refused = blinded.finalize(&["a", "b"], &wrong, &key.public());
        assert_eq!(refused, Err(OprfError::Element(0)));
        assert_eq!(PublicKey::from_bytes(junk), Err(OprfError::Bytes));
    }
    let mut wrong = answer;
    wrong.proof = [0; 64];
    let refused = blinded.finalize(&["a", "b"], &wrong, &key.public());
    assert_eq!(refused, Err(OprfError::Bytes));
}

#[test]
fn batches_and_inputs_are_bounded() {
    let key = key("I01", "2025-03");
    let none: [&[u8]; 0] = [];
    assert_eq!(Blinded::blind(&none).err(), Some(OprfError::Batch));
    let many = vec![[1_u8]; MAX_BATCH + 1];
    assert_eq!(Blinded::blind(&many).err(), Some(OprfError::Batch));
    let element = Blinded::blind(&["a"]).unwrap().elements()[0];
    for n in [0, MAX_BATCH + 1] {
        let refused = key.evaluate_batch(&vec![element; n]);
        assert_eq!(refused, Err(OprfError::Batch));
    }
    let long = vec![0; MAX_INPUT + 1];
    for input in [&long[..], b""] {
        assert_eq!(key.evaluate(input), Err(OprfError::Input));
        assert_eq!(Blinded::blind(&[input]).err(), Some(OprfError::Input));
    }
    let blinded = Blinded::blind(&["a", "b"]).unwrap();
    let mut answer = key.evaluate_batch(blinded.elements()).unwrap();
    answer.elements.pop();
    let refused = blinded.finalize(&["a", "b"], &answer, &key.public());
    assert_eq!(refused, Err(OprfError::Batch));
    let refused = blinded.finalize(&["a"], &answer, &key.public());
    assert_eq!(refused, Err(OprfError::Batch));
}

#[test]
fn secrets_do_not_print_themselves() {
    let key = key("I01", "2025-03");
    let output = key.evaluate(b"claim").unwrap();
    let blinded = Blinded::blind(&["claim"]).unwrap();
    assert_eq!(
        format!("{output:?} {blinded:?}"),
        "Output(secret) Blinded(1 inputs)"
    );
    assert_eq!(format!("{key:?}"), format!("ServerKey({:?})", key.public()));
}
