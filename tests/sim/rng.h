/*
 * Random numbers for the simulated world: small, seeded, the same on every
 * machine. What a campaign did once, its printed seed does again.
 */
#ifndef TANDEM_SIM_RNG_H
#define TANDEM_SIM_RNG_H

#include <stddef.h>
#include <stdint.h>

/* A generator (splitmix64). */
struct sim_rng {
    uint64_t state; /* any value */
};

static inline uint64_t sim_random(struct sim_rng *rng)
{
    uint64_t z = rng->state += 0x9E3779B97F4A7C15u;

    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

/* A number below `bound` (1 … 2^32 − 1). */
static inline uint32_t sim_below(struct sim_rng *rng, uint32_t bound)
{
    return (uint32_t)(((sim_random(rng) >> 32) * bound) >> 32);
}

/* Fold a number into a seed: a generator of its own for each thing simulated. */
static inline uint64_t sim_mix(uint64_t seed, uint64_t number)
{
    struct sim_rng rng = {seed ^ (number * 0xD6E8FEB86659FD93u)};

    return sim_random(&rng);
}

static inline void sim_random_bytes(struct sim_rng *rng, uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(sim_random(rng) >> 24);
}

#endif
