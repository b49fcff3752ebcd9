//! Rust faces of the interfaces in `wit/`.

mod imports {
    wasmtime::component::bindgen!({
        path: "wit",
        world: "imports",
        imports: {
            "spin:key-value/key-value.[method]store.get-keys": async | store | trappable,
            "wasi:keyvalue/store": async,
            "wasi:keyvalue/atomics": async,
            "wasi:keyvalue/batch": async,
        },
        with: {
            "spin:key-value/key-value.store": crate::key_value::Bucket,
            "wasi:keyvalue/store.bucket": crate::key_value::Bucket,
            "wasi:keyvalue/atomics.cas": crate::key_value::Cas,
            "spin:redis/redis.connection": crate::outbound_redis::Connection,
        },
    });
}

mod subscriber {
    wasmtime::component::bindgen!({ path: "wit", world: "subscriber", exports: { default: async | store } });
}

pub use self::imports::spin::{key_value::key_value, redis::redis, variables::variables};
pub use self::imports::wasi::keyvalue;
pub use self::subscriber::SubscriberPre;
