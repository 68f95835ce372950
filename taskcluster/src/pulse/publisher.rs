//! Publishing as Taskcluster's services do, for the embedded deployment.

use lapin::options::{BasicPublishOptions, ConfirmSelectOptions, ExchangeDeclareOptions};
use lapin::types::{AMQPValue, FieldTable, LongString};
use lapin::{BasicProperties, ExchangeKind};

use super::credentials::PulseCredentials;
use super::link::{Link, connect, explain, short};
use crate::error::{Error, Result};

/// AMQP's delivery mode for messages that survive a restart of the broker.
const PERSISTENT: u8 = 2;

/// A connection for publishing.
pub(crate) struct Publisher(Link);

impl Publisher {
    /// Connects and declares the exchanges.
    pub(crate) async fn connect(
        credentials: &PulseCredentials,
        exchanges: impl Iterator<Item = &'static str>,
    ) -> Result<Self> {
        let address = credentials.address();
        let connection = connect(credentials).await.map_err(|error| {
            explain(&format!("{} cannot connect to {address}", credentials.user()), error)
        })?;
        let no_channel = |error| explain(&format!("cannot open a channel on {address}"), error);
        let channel = connection.create_channel().await.map_err(no_channel)?;
        channel.confirm_select(ConfirmSelectOptions::default()).await.map_err(no_channel)?;
        for exchange in exchanges {
            let options = ExchangeDeclareOptions { durable: true, ..Default::default() };
            channel
                .exchange_declare(
                    short(exchange)?,
                    ExchangeKind::Topic,
                    options,
                    FieldTable::default(),
                )
                .await
                .map_err(|error| {
                    explain(&format!("the exchange {exchange} cannot be declared"), error)
                })?;
        }
        Ok(Self(Link { connection, channel }))
    }

    /// Publishes a message and waits until the broker confirms it.
    pub(crate) async fn publish(
        &self,
        exchange: &str,
        routing_key: &str,
        cc: &[String],
        body: &[u8],
    ) -> Result<()> {
        let cc = cc.iter().map(|key| AMQPValue::LongString(LongString::from(key.as_str())));
        let mut headers = FieldTable::default();
        headers.insert("CC".into(), AMQPValue::FieldArray(cc.collect::<Vec<_>>().into()));
        let properties = BasicProperties::default()
            .with_delivery_mode(PERSISTENT)
            .with_content_type("application/json".into())
            .with_headers(headers);
        let failed = |error| explain(&format!("cannot publish to {exchange}"), error);
        let options = BasicPublishOptions::default();
        let (exchange, routing_key) = (short(exchange)?, short(routing_key)?);
        let sent =
            self.0.channel.basic_publish(exchange, routing_key, options, body, properties).await;
        let gone = || Error::disconnected("the connection to the broker was lost");
        let confirmed = self.0.answer(sent.map_err(failed)?).await.ok_or_else(gone)?;
        if confirmed.map_err(failed)?.is_ack() {
            Ok(())
        } else {
            Err(Error::disconnected("the broker did not accept a message"))
        }
    }

    pub(crate) async fn close(&self) -> Result<()> {
        self.0.close().await
    }
}
