/*
 * Ed25519: the vectors of RFC 8032, and what a strict verifier must refuse.
 * The cases beyond the RFC were computed for this file, with the secret key at
 * hand, so that each fails for the one reason it names.
 */
#include "check.h"
#include "hex.h"
#include "tandem/crypto.h"

/* RFC 8032 §7.1: seed, public key, message, signature. */
static const struct {
    const char *seed;
    const char *key;
    const char *message;
    const char *signature;
} published[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25b"
     "f5f0595bbe24655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b"
     "2eaeb4302aeeb00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c"
     "15e9716ed28dc027beceea1ec40a"},
    {"f5e5767cf153319517630f226876b86c8160cc583bc013744c6bf255f5cc0ee5",
     "278117fc144c72340f67d0f2316e8386ceffbf2b2428c9c51fef7c597f1d426e",
     "08b8b2b733424243760fe426a4b54908632110a66c2f6591eabd3345e3e4eb98fa6e264bf09efe12ee50f8f54e9f77b1e355"
     "f6c50544e23fb1433ddf73be84d879de7c0046dc4996d9e773f4bc9efe5738829adb26c81b37c93a1b270b20329d658675fc"
     "6ea534e0810a4432826bf58c941efb65d57a338bbd2e26640f89ffbc1a858efcb8550ee3a5e1998bd177e93a7363c344fe6b"
     "199ee5d02e82d522c4feba15452f80288a821a579116ec6dad2b3b310da903401aa62100ab5d1a36553e06203b33890cc9b8"
     "32f79ef80560ccb9a39ce767967ed628c6ad573cb116dbefefd75499da96bd68a8a97b928a8bbc103b6621fcde2beca1231d"
     "206be6cd9ec7aff6f6c94fcd7204ed3455c68c83f4a41da4af2b74ef5c53f1d8ac70bdcb7ed185ce81bd84359d44254d9562"
     "9e9855a94a7c1958d1f8ada5d0532ed8a5aa3fb2d17ba70eb6248e594e1a2297acbbb39d502f1a8c6eb6f1ce22b3de1a1f40"
     "cc24554119a831a9aad6079cad88425de6bde1a9187ebb6092cf67bf2b13fd65f27088d78b7e883c8759d2c4f5c65adb7553"
     "878ad575f9fad878e80a0c9ba63bcbcc2732e69485bbc9c90bfbd62481d9089beccf80cfe2df16a2cf65bd92dd597b0707e0"
     "917af48bbb75fed413d238f5555a7a569d80c3414a8d0859dc65a46128bab27af87a71314f318c782b23ebfe808b82b0ce26"
     "401d2e22f04d83d1255dc51addd3b75a2b1ae0784504df543af8969be3ea7082ff7fc9888c144da2af58429ec96031dbcad3"
     "dad9af0dcbaaaf268cb8fcffead94f3c7ca495e056a9b47acdb751fb73e666c6c655ade8297297d07ad1ba5e43f1bca32301"
     "651339e22904cc8c42f58c30c04aafdb038dda0847dd988dcda6f3bfd15c4b4c4525004aa06eeff8ca61783aacec57fb3d1f"
     "92b0fe2fd1a85f6724517b65e614ad6808d6f6ee34dff7310fdc82aebfd904b01e1dc54b2927094b2db68d6f903b68401ade"
     "bf5a7e08d78ff4ef5d63653a65040cf9bfd4aca7984a74d37145986780fc0b16ac451649de6188a7dbdf191f64b5fc5e2ab4"
     "7b57f7f7276cd419c17a3ca8e1b939ae49e488acba6b965610b5480109c8b17b80e1b7b750dfc7598d5d5011fd2dcc5600a3"
     "2ef5b52a1ecc820e308aa342721aac0943bf6686b64b2579376504ccc493d97e6aed3fb0f9cd71a43dd497f01f17c0e2cb37"
     "97aa2a2f256656168e6c496afc5fb93246f6b1116398a346f1a641f3b041e989f7914f90cc2c7fff357876e506b50d334ba7"
     "7c225bc307ba537152f3f1610e4eafe595f6d9d90d11faa933a15ef1369546868a7f3a45a96768d40fd9d03412c091c6315c"
     "f4fde7cb68606937380db2eaaa707b4c4185c32eddcdd306705e4dc1ffc872eeee475a64dfac86aba41c0618983f8741c5ef"
     "68d3a101e8a3b8cac60c905c15fc910840b94c00a0b9d0",
     "0aab4c900501b3e24d7cdf4663326a3a87df5e4843b2cbdb67cbf6e460fec350aa5371b1508f9f4528ecea23c436d94b5e8f"
     "cd4f681e30a6ac00a9704a188a03"},
    {"833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
     "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d"
     "4423643ce80e2a9ac94fa54ca49f",
     "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca"
     "179c138ac17ad9bef1177331a704"},
};

static const struct {
    const char *name;
    const char *key;
    const char *signature;
    const char *message;
    enum tandem_status status;
} constructed[] = {
    {"plain", "79b5562e8fe654f94078b112e8a98ba7901f853ae695bed7e0e3910bad049664",
     "3e54c441927f9f0ee5e13e34f0b0404c5043651a8f4b7ef087a1c42262a85d0a"
     "f008886eb6122e090dd792e715b45571548186eaffef1b902de99fc77ed30302",
     "54616e64656d", TANDEM_OK},
    {"R is the neutral element", "79b5562e8fe654f94078b112e8a98ba7901f853ae695bed7e0e3910bad049664",
     "0100000000000000000000000000000000000000000000000000000000000000"
     "95bd3c404cf5cf57cdae48905c97e17e8f5286df07b21a847f8ab084a1c57008",
     "54616e64656d", TANDEM_OK},
    {"R is the neutral element, y = p + 1", "79b5562e8fe654f94078b112e8a98ba7901f853ae695bed7e0e3910bad049664",
     "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"
     "19d8ecab254c492d824bfdddfdc1cc529324408e6a1dbb1849c657c562f82f08",
     "54616e64656d", TANDEM_ERROR_SIGNATURE},
    {"R is the neutral element, sign set", "79b5562e8fe654f94078b112e8a98ba7901f853ae695bed7e0e3910bad049664",
     "0100000000000000000000000000000000000000000000000000000000000080"
     "e91c77dc5c861bcf979f833866232ca3c7cd205feb32f3a8adcfc700f402a404",
     "54616e64656d", TANDEM_ERROR_SIGNATURE},
    {"R is the neutral element, y = p + 1, sign set",
     "79b5562e8fe654f94078b112e8a98ba7901f853ae695bed7e0e3910bad049664",
     "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
     "d246e91c583aac54dd06d767eb8445372d4c431771eb08678aaa31c767bc5c0a",
     "54616e64656d", TANDEM_ERROR_SIGNATURE},
    {"key with a part of order 2, challenge a multiple of it",
     "744aa9d17019ab06bf874eed175674586fe07ac5196a41281f1c6ef452fb699b",
     "3e54c441927f9f0ee5e13e34f0b0404c5043651a8f4b7ef087a1c42262a85d0a"
     "68316a6a602961863e062ece0e1e8578874c9e79c0afc74c85b0477ee33bbe04",
     "6d6573736167652031", TANDEM_OK},
    {"key with a part of order 2, challenge no multiple of it",
     "744aa9d17019ab06bf874eed175674586fe07ac5196a41281f1c6ef452fb699b",
     "3e54c441927f9f0ee5e13e34f0b0404c5043651a8f4b7ef087a1c42262a85d0a"
     "91e797d59a8b4ce7208075aea55fba415e37be1223dcf75cfab38a5fff4d5b0f",
     "6d6573736167652030", TANDEM_ERROR_SIGNATURE},
    {"key with a part of order 8, challenge a multiple of it",
     "287f6bda7a57f4f2873f3bff5e5ea9c260a6a6343bdf37c7abcd346ed5904c11",
     "3e54c441927f9f0ee5e13e34f0b0404c5043651a8f4b7ef087a1c42262a85d0a"
     "3805ac9b8b866b12e778f16de7d5fdd2aadf2c2be91a51718e01997308398e0c",
     "6d6573736167652031", TANDEM_OK},
    {"key with a part of order 8, challenge no multiple of it",
     "287f6bda7a57f4f2873f3bff5e5ea9c260a6a6343bdf37c7abcd346ed5904c11",
     "3e54c441927f9f0ee5e13e34f0b0404c5043651a8f4b7ef087a1c42262a85d0a"
     "781585ae7638f64fd7eba16b4c45cd64eafaf9255c5bab675d733eb7a731ba06",
     "6d6573736167652030", TANDEM_ERROR_SIGNATURE},
    {"key with a part of order 4, challenge a multiple of it",
     "34c78fab7ee01eee30835a21c795a04ed19143340e7295a589874271fbb465c7",
     "3e54c441927f9f0ee5e13e34f0b0404c5043651a8f4b7ef087a1c42262a85d0a"
     "9ba695ab44efa9e05723fa35b3231e99593234db0032c0f10278447c3896ac03",
     "6d6573736167652033", TANDEM_OK},
    {"key with a part of order 4, challenge no multiple of it",
     "34c78fab7ee01eee30835a21c795a04ed19143340e7295a589874271fbb465c7",
     "3e54c441927f9f0ee5e13e34f0b0404c5043651a8f4b7ef087a1c42262a85d0a"
     "6f10d6ce9752f14591adbad5d9587d0f02d165850901284c26490b4a3576e901",
     "6d6573736167652030", TANDEM_ERROR_SIGNATURE},
    {"R with a part of order 8", "79b5562e8fe654f94078b112e8a98ba7901f853ae695bed7e0e3910bad049664",
     "5b61c2e3b93e6c06450f327ea72cdfeb8cde6aa020d2dd827ab3f86e708c8393"
     "f04920500048916e57c2705f96e05cc22c6658531c138f7707eabfdbc2690a0f",
     "54616e64656d", TANDEM_ERROR_SIGNATURE},
    {"R with a part of order 4", "79b5562e8fe654f94078b112e8a98ba7901f853ae695bed7e0e3910bad049664",
     "1a0eb647990e5b1297c67b2214fff5bc2f122b83570790112e5218ed371febbf"
     "3c9178417b186f624076976eadf48017e2aef0ccdb0aca36e3a18ef446ea060a",
     "54616e64656d", TANDEM_ERROR_SIGNATURE},
    {"R with a part of order 2", "79b5562e8fe654f94078b112e8a98ba7901f853ae695bed7e0e3910bad049664",
     "afab3bbe6d8060f11a1ec1cb0f4fbfb3afbc9ae570b4810f785e3bdd9d57a2f5"
     "52e173ff50732697c06aa2ec965112641c615817f95a872943d468285a996502",
     "54616e64656d", TANDEM_ERROR_SIGNATURE},
};

/* The points of order 1, 8, 4, 8, 2, 8, 4, 8, and the two with x = 0 and the sign set. */
static const char *const small_order[] = {
    "0100000000000000000000000000000000000000000000000000000000000000",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
};

static void test_rfc8032(void)
{
    static uint8_t message[1100];
    uint8_t seed[32];
    uint8_t key[32];
    uint8_t signature[64];
    uint8_t out[64];

    for (size_t i = 0; i < sizeof published / sizeof published[0]; i++) {
        size_t size = hex(message, published[i].message);

        hex(seed, published[i].seed);
        hex(key, published[i].key);
        hex(signature, published[i].signature);
        tandem_ed25519_public_key(out, seed);
        CHECK_BYTES(out, key, 32);
        tandem_ed25519_sign(out, seed, message, size);
        CHECK_BYTES(out, signature, 64);
        CHECK_EQUAL(tandem_ed25519_verify(signature, key, message, size), TANDEM_OK);
        CHECK_EQUAL(tandem_ed25519_verify(signature, key, message, size + 1), TANDEM_ERROR_SIGNATURE);
    }
}

static void test_constructed(void)
{
    uint8_t message[64];
    uint8_t key[32];
    uint8_t signature[64];

    for (size_t i = 0; i < sizeof constructed / sizeof constructed[0]; i++) {
        size_t size = hex(message, constructed[i].message);

        hex(key, constructed[i].key);
        hex(signature, constructed[i].signature);
        if (!CHECK_EQUAL(tandem_ed25519_verify(signature, key, message, size), constructed[i].status))
            fprintf(stderr, "  %s\n", constructed[i].name);
    }
}

static uint8_t good_message[] = "One bit of this, of its signature or of its key turns, and nobody signed it.";
static uint8_t good_key[32];
static uint8_t good_signature[64];

static void make_good(void)
{
    uint8_t seed[32];

    for (int i = 0; i < 32; i++)
        seed[i] = (uint8_t)(i + 1);
    tandem_ed25519_public_key(good_key, seed);
    tandem_ed25519_sign(good_signature, seed, good_message, sizeof good_message);
}

static enum tandem_status verify_good(void)
{
    return tandem_ed25519_verify(good_signature, good_key, good_message, sizeof good_message);
}

/* On a small machine every so many bits are enough. */
#ifndef STRIDE
#define STRIDE 1
#endif

static void flip_every_bit(uint8_t *data, size_t size)
{
    for (size_t bit = 0; bit < 8 * size; bit += STRIDE) {
        data[bit >> 3] ^= (uint8_t)(1u << (bit & 7));
        CHECK_EQUAL(verify_good(), TANDEM_ERROR_SIGNATURE);
        data[bit >> 3] ^= (uint8_t)(1u << (bit & 7));
    }
}

static void test_every_bit(void)
{
    make_good();
    CHECK_EQUAL(verify_good(), TANDEM_OK);
    flip_every_bit(good_signature, sizeof good_signature);
    flip_every_bit(good_key, sizeof good_key);
    flip_every_bit(good_message, sizeof good_message);
    CHECK_EQUAL(verify_good(), TANDEM_OK);
}

/* s + L, s + 2 L, … are the same scalar to the curve, and refused. */
static void test_malleability(void)
{
    uint8_t order[32];
    uint8_t s[32];

    hex(order, "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
    make_good();
    for (int times = 1; times < 15; times++) {
        unsigned carry = 0;

        for (int i = 0; i < 32; i++) {
            carry += good_signature[32 + i] + (unsigned)order[i];
            good_signature[32 + i] = (uint8_t)carry;
            carry >>= 8;
        }
        CHECK_EQUAL(carry, 0);
        CHECK_EQUAL(verify_good(), TANDEM_ERROR_SIGNATURE);
    }
    memcpy(s, order, 32);
    memcpy(good_signature + 32, s, 32); /* L itself */
    CHECK_EQUAL(verify_good(), TANDEM_ERROR_SIGNATURE);
    memset(good_signature + 32, 0xFF, 32);
    CHECK_EQUAL(verify_good(), TANDEM_ERROR_SIGNATURE);
    memset(good_signature + 32, 0, 32);
    CHECK_EQUAL(verify_good(), TANDEM_ERROR_SIGNATURE);
}

/*
 * With a key of small order, one message in eight or more satisfies the
 * equation for a signature that anyone can make: R = [s]B.
 */
static void test_small_order_keys(void)
{
    uint8_t key[32];
    uint8_t signature[64];

    hex(signature, "3e54c441927f9f0ee5e13e34f0b0404c5043651a8f4b7ef087a1c42262a85d0a"
                   "2e77a7db3b2f65a47efd3cf9bbe5f05486e88756c8cc06c7691f6d5679727502");
    for (size_t i = 0; i < sizeof small_order / sizeof small_order[0]; i++) {
        hex(key, small_order[i]);
        for (uint8_t message = 0; message < 32; message++)
            CHECK_EQUAL(tandem_ed25519_verify(signature, key, &message, 1), TANDEM_ERROR_SIGNATURE);
    }
}

/* y = p … p + 18 with either sign, as key and as R: p and p + 1 are points of small order, others of any. */
static void test_not_canonical(void)
{
    for (unsigned above = 0; above < 19; above++) {
        for (unsigned sign = 0; sign < 2; sign++) {
            uint8_t bytes[32];

            memset(bytes, 0xFF, 32);
            bytes[0] = (uint8_t)(0xED + above);
            bytes[31] = (uint8_t)(0x7F | sign << 7);
            make_good();
            memcpy(good_key, bytes, 32);
            CHECK_EQUAL(verify_good(), TANDEM_ERROR_SIGNATURE);
            make_good();
            memcpy(good_signature, bytes, 32);
            CHECK_EQUAL(verify_good(), TANDEM_ERROR_SIGNATURE);
            hex(good_signature, "3e54c441927f9f0ee5e13e34f0b0404c5043651a8f4b7ef087a1c42262a85d0a"
                                "2e77a7db3b2f65a47efd3cf9bbe5f05486e88756c8cc06c7691f6d5679727502");
            memcpy(good_key, bytes, 32);
            for (uint8_t message = 0; message < 16; message++)
                CHECK_EQUAL(tandem_ed25519_verify(good_signature, good_key, &message, 1), TANDEM_ERROR_SIGNATURE);
        }
    }
}

/* About half of all y are on no point. */
static void test_no_point(void)
{
    unsigned refused = 0;

    make_good();
    for (unsigned y = 2; y < 66; y++) {
        memset(good_key, 0, 32);
        good_key[0] = (uint8_t)y;
        refused += verify_good() == TANDEM_ERROR_SIGNATURE;
    }
    CHECK_EQUAL(refused, 64);
    memset(good_key, 0, 32);
    CHECK_EQUAL(verify_good(), TANDEM_ERROR_SIGNATURE);
    memset(good_key, 0xFF, 32);
    CHECK_EQUAL(verify_good(), TANDEM_ERROR_SIGNATURE);
}

/* A message of every length around the hash's block, and none at all. */
static void test_lengths(void)
{
    uint8_t seed[32] = {7};
    uint8_t key[32];
    uint8_t signature[64];
    uint8_t message[200];

    memset(message, 0x5A, sizeof message);
    tandem_ed25519_public_key(key, seed);
    tandem_ed25519_sign(signature, seed, NULL, 0);
    CHECK_EQUAL(tandem_ed25519_verify(signature, key, NULL, 0), TANDEM_OK);
    for (size_t size = 0; size < sizeof message; size += 7) {
        tandem_ed25519_sign(signature, seed, message, size);
        CHECK_EQUAL(tandem_ed25519_verify(signature, key, message, size), TANDEM_OK);
        CHECK_EQUAL(tandem_ed25519_verify(signature, key, message, size + 1), TANDEM_ERROR_SIGNATURE);
    }
}

int main(void)
{
    RUN(test_rfc8032);
    RUN(test_constructed);
    RUN(test_every_bit);
    RUN(test_malleability);
    RUN(test_small_order_keys);
    RUN(test_not_canonical);
    RUN(test_no_point);
    RUN(test_lengths);
    return check_report();
}
