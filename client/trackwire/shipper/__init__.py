"""The process that takes what is in a spool to the server: `python -m trackwire.shipper`. One for each spool."""
